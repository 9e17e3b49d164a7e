/** What a query gives: of node-postgres's result what is used here. */
export interface SqlResult {
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly rowCount: number | null;
}

/** A connection to PostgreSQL. node-postgres's clients are such; Millrace itself does not depend on that package. */
export interface SqlClient {
  /** Without values the text may hold several statements. */
  query(text: string, values?: unknown[]): Promise<SqlResult>;
}

/** A connection that goes back to its pool. */
export interface PooledSqlClient extends SqlClient {
  /** true: it is broken, and closed. */
  release(isBroken?: boolean): void;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  off?(event: 'error', listener: (error: Error) => void): unknown;
}

/** Connections to PostgreSQL: `new pg.Pool(…)` is one. */
export interface SqlPool {
  connect(): Promise<PooledSqlClient>;
  on?(event: 'error', listener: (error: Error) => void): unknown;
}
