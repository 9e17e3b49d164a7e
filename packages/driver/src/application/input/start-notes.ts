import type { DirectKafkaInput } from '@millrace/api/internal';
import { topicPartitionKey } from '@millrace/kafka';
import { type StartPosition, shorten } from './start-positions.ts';

/** A stream, and where its partitions began in this run. */
export interface StreamStart {
  readonly input: DirectKafkaInput;
  readonly kafka: { readonly starts: readonly StartPosition[] };
}

/** Where each stream begins that the log does not know, and who said so. `isAnew`: a log was set aside. */
export function startNotes(streams: readonly StreamStart[], isAnew: boolean): readonly string[] {
  return streams.flatMap(({ input, kafka: { starts } }) => {
    const { groupId, startFrom } = input.options;
    const where = input.strategy.describe();
    const from = typeof startFrom === 'object' ? `timestamp ${startFrom.timestamp}` : startFrom;
    const byGroup = placesOf(starts, 'group');
    const notes = [
      sentence(where, placesOf(starts, 'strategy'), 'as the offsets given to it say'),
      sentence(where, byGroup, `which consumer group "${groupId}" has committed`),
      sentence(where, placesOf(starts, 'startFrom'), `as startFrom says (${from})`),
    ].flat();
    if (!isAnew || byGroup.length === 0) return notes;
    return [
      ...notes,
      `warning: ${where}: it begins anew, and still where its consumer group "${groupId}" stands, which comes before startFrom. To begin elsewhere give it offsets, or another groupId`,
    ];
  });
}

function placesOf(starts: readonly StartPosition[], by: StartPosition['by']): readonly string[] {
  return starts.flatMap((start) =>
    start.by === by ? [`${topicPartitionKey(start)} at ${start.offset}`] : [],
  );
}

function sentence(where: string, places: readonly string[], why: string): readonly string[] {
  if (places.length === 0) return [];
  return [`${where}: begins with ${shorten(places)}, ${why}`];
}
