'use executor';

export const state = { uses: 0 };
