/**
 * The format of a snapshot: a table of nodes, the root first. A node is a tag byte, a count, and values; a value is a
 * primitive or a reference to a node by its index. Canonical: the same graph gives the same bytes, so that the hash of
 * the bytes is the identity of what was captured (`v8.serialize` is not canonical, and drops prototypes silently).
 */
export const SNAPSHOT_VERSION = 2;

/**
 * The values of a node, in order, follow each tag. `k, v…` are pairs: k is a name or a symbol's node. After the pair
 * `true, undefined` come properties that are not enumerable; `null, v` makes v the prototype.
 */
export const NodeTag = {
  /** id, captures… */
  Closure: 1,
  /** id, this, own properties, prototype properties, captures… */
  FullClosure: 2,
  /** id, statics, prototype properties, captures… */
  Class: 3,
  /** class, key, is static */
  Method: 4,
  /** target, this, arguments… */
  Bound: 5,
  /** key of the instance, factory, dispose */
  PerExecutor: 6,
  /** import key, path… */
  Import: 7,
  /** path from globalThis… */
  Intrinsic: 8,
  /** id */
  Broadcast: 9,
  /** id, the user's own kind of accumulator */
  Accumulator: 10,
  /** what the proxy says when it is touched */
  Poison: 11,
  /** k, v… */
  Object: 12,
  /** k, v… */
  NullObject: 13,
  /** elements… */
  Array: 14,
  /** k, v… */
  Map: 15,
  /** members… */
  Set: 16,
  /** class, k, v… */
  Instance: 17,
  /** class, the builtin's own content, k, v… : an instance of a class that extends Map, Set, Array, Error or Date */
  BuiltinInstance: 18,
  /** class, data: through the class's serialize protocol */
  Protocol: 19,
  /** milliseconds */
  Date: 20,
  /** source, flags, lastIndex */
  RegExp: 21,
  /** bytes; or an array buffer that others use, too, byte offset, length */
  Buffer: 22,
  /** constructor's name, bytes; or constructor's name, an array buffer that others use, too, byte offset, length */
  TypedArray: 23,
  /** bytes */
  ArrayBuffer: 24,
  /** constructor's name, message, stack, k, v… */
  Error: 25,
  /** href */
  Url: 26,
  /** primitive */
  Boxed: 27,
  /** key of Symbol.for */
  RegisteredSymbol: 28,
  /** name on Symbol */
  WellKnownSymbol: 29,
  /** path of a builtin constructor (`Intl.NumberFormat`), arguments… */
  Constructed: 30,
  /** prototype, k, v… : an object that inherits from another object, without a class */
  Heir: 31,
  /** get, set: in the place of a property's value */
  Accessor: 32,
} as const;

export type NodeTag = (typeof NodeTag)[keyof typeof NodeTag];

/** Added to the tag of a closure or class that is created before what it captures. */
export const TIED = 0x80;

/** Added to the tag of what is not extensible, sealed or frozen; a byte with the `Integrity` follows. */
export const RESTRICTED = 0x40;

export const Integrity = { Extensible: 0, Fixed: 1, Sealed: 2, Frozen: 3 } as const;

export type Integrity = (typeof Integrity)[keyof typeof Integrity];

export const ValueTag = {
  Undefined: 0,
  Null: 1,
  True: 2,
  False: 3,
  /** zigzag varint, |n| < 2^31 */
  Integer: 4,
  Double: 5,
  /** one byte a character */
  Latin1: 6,
  Utf16: 7,
  /** decimal digits */
  BigInt: 8,
  Reference: 9,
  /** the first time that this property name occurs: followed by the string */
  NewName: 10,
  /** index of a name that occurred before */
  Name: 11,
  Bytes: 12,
  /** a hole of a sparse array, and how many follow */
  Hole: 13,
  Utf8: 14,
} as const;

/** Class protocol for values with hidden state: `static [SERIALIZE](value)` and `static [DESERIALIZE](data)`. */
export const SERIALIZE = Symbol.for('millrace.serialize');
export const DESERIALIZE = Symbol.for('millrace.deserialize');
/** A static method that lifted classes have until their `static #x` are set. A string: `Symbol` may be a variable of the user's. */
export const SET_PRIVATES = 'millrace.set-privates';
