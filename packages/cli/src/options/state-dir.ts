import { text } from '@millrace/common';

/** Of the driver. */
export const STATE_DIR = text({
  doc: 'directory for submissions, programs and application logs; one driver at a time',
  unit: 'path',
  default: '.millrace/driver',
});
