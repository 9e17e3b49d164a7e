import { MillraceError } from '@millrace/common';
import { FileStep, FileTaskSink } from './file-task-sink.ts';
import { KafkaTaskSink } from './kafka-task-sink.ts';
import type { ProducerCache } from './producer-cache.ts';
import type { OpenSink } from './task-sink.ts';

/** Opens the sink of an action. @throws MillraceError INTERNAL. */
export function sinkOpener(producers: ProducerCache): OpenSink {
  return (request) => {
    const { kind } = request.action;
    switch (kind) {
      case 'kafkaWrite':
        return new KafkaTaskSink(request, producers);
      case 'fileWrite':
        return new FileTaskSink(request);
      case 'fileStep':
        return new FileStep(request);
      default:
        throw new MillraceError('INTERNAL', `${kind} is no sink`);
    }
  };
}
