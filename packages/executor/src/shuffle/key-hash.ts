export { hashPartition, keyHash, textHash } from '@millrace/api/internal';
