/** As org.apache.kafka.common.internals.Topic#validate. */
export function isTopicName(name: unknown): name is string {
  return typeof name === 'string' && /^[\w.-]{1,249}$/.test(name) && name !== '.' && name !== '..';
}
