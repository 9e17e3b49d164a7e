import { $engine } from '@millrace/closures/runtime';
import type { FunctionShipper } from '../shipped-function.ts';
import { builtInOf, type Codec, customOf, type ShippedCodec } from './codec.ts';

/**
 * A codec as it travels; `fallback` when none was given.
 * @throws MillraceError CLOSURE_* when a custom decode function cannot ship.
 */
export function shipCodec(
  codec: Codec<unknown> | undefined,
  fallback: ShippedCodec,
  ship: FunctionShipper,
): ShippedCodec {
  if (codec === undefined) return fallback;
  const known = builtInOf(codec);
  if (known) return { name: known.name, nullable: known.nullable };
  const { codec: inner, nullable } = customOf(codec);
  // Bound, so that a decode method may use its codec's fields.
  const decode = $engine.b(inner.decode, [inner]) as Function;
  return { name: 'custom', nullable, decode: ship(decode, 'decode') };
}

export const DEFAULT_KEY_CODEC: ShippedCodec = { name: 'utf8', nullable: true };
export const DEFAULT_VALUE_CODEC: ShippedCodec = { name: 'utf8', nullable: false };
