import { freePorts } from './free-ports.ts';
import { kafkaJars } from './kafka-jars.ts';
import { type JavaKafkaOptions, KafkaNode, newClusterId } from './kafka-node.ts';

/** A private Apache Kafka: one KRaft node on free ports, its data in a temporary directory. */
export interface JavaKafka {
  readonly brokers: string;
  readonly dataDirectory: string;
  /** Of the Java process; another one after each `start`. */
  readonly pid: number;
  /** kill -9: data stay for `start`. */
  kill(): Promise<void>;
  /** Ends it in good order: data stay for `start`. */
  shutDown(): Promise<void>;
  /** Starts again on the same data and port, after `kill` or `shutDown`. */
  start(): Promise<void>;
  /** Ends it in good order and removes the data. */
  stop(): Promise<void>;
}

/** One node of a private Apache Kafka. */
export interface JavaKafkaNode extends JavaKafka {
  readonly nodeId: number;
}

/** A private Apache Kafka of some nodes, each broker and controller. */
export interface JavaKafkaCluster {
  /** All of them. */
  readonly brokers: string;
  readonly nodes: readonly JavaKafkaNode[];
  /** Ends it and removes the data. */
  stop(): Promise<void>;
}

/** @throws Error when Java or Maven is missing, or the broker is not up after a while: with the end of its log. */
export async function startJavaKafka(options: JavaKafkaOptions = {}): Promise<JavaKafka> {
  const { nodes } = await startJavaKafkaCluster(1, options);
  return nodes[0] as JavaKafkaNode;
}

/** `options` are those of each node. Topics have three replicas, two of which must be in sync, where there are nodes for them. */
export async function startJavaKafkaCluster(
  count: number,
  options: JavaKafkaOptions = {},
): Promise<JavaKafkaCluster> {
  const jars = await kafkaJars();
  if (!jars.ok) throw new Error(`Apache Kafka cannot be started: ${jars.reason}`);
  const ports = await freePorts(2 * count);
  const clusterId = newClusterId();
  const places = Array.from({ length: count }, (_, i) => ({
    nodeId: i + 1,
    ports: [ports[2 * i] as number, ports[2 * i + 1] as number] as const,
  }));
  const voters = places.map((place) => `${place.nodeId}@127.0.0.1:${place.ports[1]}`);
  const nodes: KafkaNode[] = [];
  const stop = async (): Promise<void> => {
    // Without a quorum of controllers none ends in good order.
    if (count > 1) await Promise.all(nodes.map((node) => node.kill()));
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (const place of places)
      nodes.push(await KafkaNode.format(jars.classPath, options, { ...place, clusterId, voters }));
    // Each waits for a quorum of the controllers.
    await Promise.all(nodes.map((node) => node.start()));
    return { brokers: nodes.map(({ brokers }) => brokers).join(','), nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
