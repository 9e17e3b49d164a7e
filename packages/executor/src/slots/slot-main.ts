import { millraceResolveHook } from '@millrace/closures';
import { systemClock } from '@millrace/common';
import { taskEngine } from '../task/task-engine.ts';
import { serveSlot } from './serve-slot.ts';

// The main module of a slot's process. `@millrace/…` imports of programs resolve to this installation.
millraceResolveHook({ parentUrl: import.meta.url });
serveSlot(taskEngine(), systemClock);
