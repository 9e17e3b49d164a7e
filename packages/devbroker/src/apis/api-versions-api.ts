import { KAFKA_ERROR, type WireWriter } from '@millrace/kafka';
import { type Api, defineApi } from '../protocol/api.ts';
import { array, int16, int32, since, string, struct, withDefault } from '../protocol/schema.ts';

const request = struct({
  clientSoftwareName: since(3, string, ''),
  clientSoftwareVersion: since(3, string, ''),
});

const response = struct({
  errorCode: withDefault(int16, 0),
  apis: array(struct({ key: int16, minVersion: int16, maxVersion: int16 })),
  throttleTimeMs: since(1, int32, 0),
});

/** ApiVersions, over the table that it is itself part of. */
export function apiVersionsApi(table: () => readonly Api[]): Api {
  return defineApi({
    name: 'ApiVersions',
    minVersion: 0,
    maxVersion: 4,
    flexibleFrom: 3,
    request,
    response,
    handle: (_request, { faults }) => ({ errorCode: faults.errorFor() ?? 0, apis: table() }),
  });
}

/** The answer to a version of ApiVersions that the broker does not know: in v0, so that every client can read it (KIP-511). */
export function writeUnsupportedApiVersions(writer: WireWriter, table: readonly Api[]): void {
  response.write(
    writer,
    { errorCode: KAFKA_ERROR.UNSUPPORTED_VERSION, apis: table },
    { version: 0, flexible: false },
  );
}
