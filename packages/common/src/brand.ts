declare const brand: unique symbol;

/** A nominal type: a `Brand<number, 'StageId'>` does not mix with another branded number. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
