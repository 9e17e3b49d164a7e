import { defineJob } from '@millrace/api';

const settings = JSON.parse('{}') as { readonly topics: { readonly list: readonly string[] } };
const { length } = settings.topics.list;

export default defineJob({ name: 'bad-throws', batchInterval: '1s' }, () => console.log(length));
