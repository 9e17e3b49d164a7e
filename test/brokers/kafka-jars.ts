import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf } from '@millrace/common';

const run = promisify(execFile);

export const KAFKA_VERSION = '4.3.1';
const PROBE_MS_MAX = 15_000;
const MAVEN_MS_MAX = 300_000;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>io.millrace.test</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.4</version>
    </dependency>
  </dependencies>
</project>
`;

/** Apache Kafka's jars for `java -cp`, or why there are none. */
export type KafkaJars =
  | { readonly ok: true; readonly classPath: string }
  | { readonly ok: false; readonly reason: string };

let found: Promise<KafkaJars> | undefined;

/** Fetched from Maven once, into node_modules/.cache/millrace-kafka (or MILLRACE_CACHE_DIR). */
export function kafkaJars(): Promise<KafkaJars> {
  found ??= locate();
  return found;
}

async function locate(): Promise<KafkaJars> {
  if (!(await answers('java', ['-version']))) return { ok: false, reason: 'there is no java' };
  const cache = process.env['MILLRACE_CACHE_DIR'];
  const root = fileURLToPath(new URL('../../node_modules/.cache/millrace-kafka', import.meta.url));
  // Another list of jars is another directory.
  const home = join(cache ?? root, createHash('sha256').update(POM).digest('hex').slice(0, 12));
  const lib = join(home, 'lib');
  if (!existsSync(lib)) {
    if (!(await answers('mvn', ['-version']))) return { ok: false, reason: 'there is no mvn' };
    try {
      await download(home, lib);
    } catch (error) {
      return { ok: false, reason: `mvn could not fetch Kafka's jars: ${firstLine(error)}` };
    }
  }
  return { ok: true, classPath: join(lib, '*') };
}

async function answers(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args, { timeout: PROBE_MS_MAX });
    return true;
  } catch {
    return false;
  }
}

/** Into a directory of its own, then renamed: two runs at once do not see half a download. */
async function download(home: string, lib: string): Promise<void> {
  await mkdir(home, { recursive: true });
  const work = await mkdtemp(join(home, 'fetch-'));
  try {
    await writeFile(join(work, 'pom.xml'), POM);
    const args = [
      '-q',
      '-B',
      '-f',
      join(work, 'pom.xml'),
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(work, 'lib')}`,
      '-DincludeScope=runtime',
    ];
    await run('mvn', args, { timeout: MAVEN_MS_MAX, maxBuffer: 16 * 1024 * 1024 });
    await rename(join(work, 'lib'), lib).catch((error: unknown) => {
      if (!existsSync(lib)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function firstLine(error: unknown): string {
  // Maven reports on standard output.
  const { stdout = '' } = error as { readonly stdout?: string };
  const [first = ''] = (stdout.trim() === '' ? messageOf(error) : stdout.trim()).split('\n');
  return first;
}
