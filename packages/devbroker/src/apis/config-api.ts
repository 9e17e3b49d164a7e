import { KAFKA_ERROR } from '@millrace/kafka';
import { defineApi, type RequestContext } from '../protocol/api.ts';
import {
  array,
  boolean,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  withDefault,
} from '../protocol/schema.ts';
import { DEFAULT_MAX_MESSAGE_BYTES, type Topic } from '../storage/topic.ts';

// ConfigResource.Type, ConfigSource and AlterConfigOp.OpType.
const TOPIC = 2;
const BROKER = 4;
const SOURCE_TOPIC = 1;
const SOURCE_DEFAULT = 5;
const SET = 0;
const DELETE = 1;

const TOPIC_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', 'delete'],
  ['compression.type', 'producer'],
  ['max.message.bytes', String(DEFAULT_MAX_MESSAGE_BYTES)],
  ['message.timestamp.type', 'CreateTime'],
  ['min.insync.replicas', '1'],
  ['retention.bytes', '-1'],
  ['retention.ms', '604800000'],
]);

const synonym = struct({ name: string, value: nullableString, source: int8 });

export const describeConfigsApi = defineApi({
  name: 'DescribeConfigs',
  minVersion: 1,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    resources: array(struct({ type: int8, name: string, keys: nullableArray(string) })),
    includeSynonyms: boolean,
    includeDocumentation: since(3, boolean, false),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    results: array(
      struct({
        errorCode: int16,
        errorMessage: withDefault(nullableString, null),
        type: int8,
        name: string,
        configs: array(
          struct({
            name: string,
            value: nullableString,
            readOnly: withDefault(boolean, false),
            source: int8,
            isSensitive: withDefault(boolean, false),
            synonyms: withDefault(array(synonym), []),
            // 2: STRING.
            configType: since(3, int8, 2),
            documentation: since(3, nullableString, null),
          }),
        ),
      }),
    ),
  }),
  targets: ({ resources }) =>
    resources.filter(({ type }) => type === TOPIC).map(({ name }) => ({ topic: name })),
  handle: ({ resources }, context) => ({
    results: resources.map(({ type, name, keys }) => {
      const problem = resourceProblem(context, type, name);
      if (problem !== 0) return { errorCode: problem, type, name, configs: [] };
      const configs = type === TOPIC ? topicConfigs(context.state.topics.get(name) as Topic) : [];
      const wanted = keys === null ? configs : configs.filter((config) => keys.includes(config.name));
      return { errorCode: KAFKA_ERROR.NONE, type, name, configs: wanted };
    }),
  }),
});

function topicConfigs(topic: Topic) {
  return [...new Map([...TOPIC_DEFAULTS, ...topic.configs])].map(([name, value]) => ({
    name,
    value,
    source: topic.configs.has(name) ? SOURCE_TOPIC : SOURCE_DEFAULT,
  }));
}

function resourceProblem({ state, faults }: RequestContext, type: number, name: string): number {
  if (type !== TOPIC && type !== BROKER) return KAFKA_ERROR.INVALID_REQUEST;
  if (type === BROKER) return faults.errorFor() ?? KAFKA_ERROR.NONE;
  const injected = faults.errorFor(name);
  if (injected !== undefined) return injected;
  return state.topics.get(name) === undefined ? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION : KAFKA_ERROR.NONE;
}

const alterResponse = struct({
  throttleTimeMs: withDefault(int32, 0),
  responses: array(
    struct({
      errorCode: int16,
      errorMessage: withDefault(nullableString, null),
      type: int8,
      name: string,
    }),
  ),
});

interface ConfigChange {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}

/** Broker settings are accepted and ignored; topic settings are kept, and max.message.bytes is obeyed. */
function alter(
  context: RequestContext,
  resource: { readonly type: number; readonly name: string },
  changes: readonly ConfigChange[],
  options: { readonly validateOnly: boolean; readonly replaceAll: boolean },
) {
  const { type, name } = resource;
  const problem = resourceProblem(context, type, name);
  if (problem !== 0) return { errorCode: problem, type, name };
  if (changes.some(({ operation }) => operation !== SET && operation !== DELETE)) {
    const errorMessage = 'the embedded broker can set and delete configs, not append or subtract';
    return { errorCode: KAFKA_ERROR.INVALID_CONFIG, errorMessage, type, name };
  }
  const configs = type === TOPIC ? context.state.topics.get(name)?.configs : undefined;
  if (configs !== undefined && !options.validateOnly) {
    if (options.replaceAll) configs.clear();
    for (const change of changes) {
      if (change.operation === DELETE || change.value === null) configs.delete(change.name);
      else configs.set(change.name, change.value);
    }
  }
  return { errorCode: KAFKA_ERROR.NONE, type, name };
}

export const alterConfigsApi = defineApi({
  name: 'AlterConfigs',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    resources: array(
      struct({ type: int8, name: string, configs: array(struct({ name: string, value: nullableString })) }),
    ),
    validateOnly: boolean,
  }),
  response: alterResponse,
  handle: ({ resources, validateOnly }, context) => ({
    responses: resources.map((resource) => {
      const changes = resource.configs.map((config) => ({ ...config, operation: SET }));
      return alter(context, resource, changes, { validateOnly, replaceAll: true });
    }),
  }),
});

export const incrementalAlterConfigsApi = defineApi({
  name: 'IncrementalAlterConfigs',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 1,
  request: struct({
    resources: array(
      struct({
        type: int8,
        name: string,
        configs: array(struct({ name: string, operation: int8, value: nullableString })),
      }),
    ),
    validateOnly: boolean,
  }),
  response: alterResponse,
  handle: ({ resources, validateOnly }, context) => ({
    responses: resources.map((resource) =>
      alter(context, resource, resource.configs, { validateOnly, replaceAll: false }),
    ),
  }),
});
