#!/usr/bin/env node
'use executor';
export const pid = () => process.pid;
