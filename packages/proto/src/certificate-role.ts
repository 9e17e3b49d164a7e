import { MillraceError } from '@millrace/common';

/** What a process of the cluster is. Its certificate says so: a URI "millrace:<role>" among the alternative names. */
export type CertificateRole = 'driver' | 'executor' | 'client';

// Who calls which service. A service that is not listed is for nobody.
const CALLERS: Readonly<Record<string, readonly CertificateRole[]>> = {
  'millrace.v1.ExecutorLink': ['executor'],
  'millrace.v1.Programs': ['executor'],
  'millrace.v1.Blocks': ['driver', 'executor'],
  'millrace.v1.Submission': ['client'],
};

/**
 * `path` is that of a gRPC method ("/millrace.v1.Submission/Submit"), `alternativeNames` what Node says of the caller's
 * certificate ("DNS:host-1, URI:millrace:executor").
 * @throws MillraceError PERMISSION_DENIED when no role of the certificate may call it.
 */
export function assertRole(path: string, alternativeNames = ''): void {
  const service = path.split('/')[1] ?? '';
  const callers = CALLERS[service] ?? [];
  // Node quotes a name with a comma in it; such a name is none of ours, whatever it contains.
  const names = alternativeNames.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(', ');
  if (callers.some((role) => names.includes(`URI:millrace:${role}`))) return;
  const wanted = callers.map((role) => `URI:millrace:${role}`).join(' or ');
  throw new MillraceError('PERMISSION_DENIED', `the caller's certificate may not call ${service}`, {
    remedy: `Use a certificate that has ${wanted} among its alternative names.`,
    details: { path, alternativeNames },
  });
}
