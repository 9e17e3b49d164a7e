// a comment
'use executor';
export const loaded = { pid: process.pid };
export const pid = () => loaded.pid;
