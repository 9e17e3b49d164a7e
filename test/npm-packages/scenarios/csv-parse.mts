import { CsvError, parse } from 'csv-parse/sync';

const TEXT = 'id,name,amount,when\n1,"Ann, ""A""",2.5,2026-01-02\n2,Böb,,\n\n3,"multi\nline",1e3,x\n# end\n';

function failure(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    const { name, code, message, lines } = error as Error & { code?: string; lines?: number };
    return { name, code, message, lines, isCsv: error instanceof CsvError, isError: error instanceof Error };
  }
}

export default function scenario(): unknown {
  return {
    rows: parse(TEXT, { comment: '#', relax_column_count: true, skip_empty_lines: true }),
    records: parse(TEXT, {
      columns: (header: string[]) => header.map((name) => name.toUpperCase()),
      comment: '#',
      cast: (value, context) => (context.column === 'AMOUNT' && value !== '' ? Number(value) : value),
      skip_empty_lines: true,
    }),
    info: parse('a;b\n1;2\n', { delimiter: [';', ','], info: true, columns: true }),
    limits: parse('a\tb\n1\t2\n3\t4\n5\t6', { delimiter: '\t', from: 2, to: 3, trim: true }),
    bytes: parse(Buffer.from('\ufeffx,y\r\n1,2\r\n', 'utf8'), { bom: true, columns: true }),
    objname: parse('k,v\na,1\nb,2', { columns: true, objname: 'k' }),
    onRecord: parse('1\n2\n3', { on_record: ([n]: string[]) => (n === '2' ? null : [Number(n) * 2]) }),
    errors: [
      failure(() => parse('a,b\n1')),
      failure(() => parse('"open')),
      failure(() => parse('a', { delimiter: 5 as never })),
    ],
    skipped: parse('a,b\n1\n2,3', { skip_records_with_error: true }),
    kinds: [typeof CsvError, typeof parse],
  };
}
