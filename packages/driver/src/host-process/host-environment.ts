// What the driver itself is trusted with. A job that needs a secret gets it by `--env` or under another name.
const DRIVER_ONLY = /^MILLRACE_(TOKEN|CHECKPOINT_STORE|TLS_.*|.*_(TOKEN|SECRET|PASSWORD|KEY))$/;

/** Environment of a host process: the driver's own, without the driver's secrets. The submitted one comes with 'start'. */
export function hostEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !DRIVER_ONLY.test(name)));
}

// Flags of this process that must not be repeated by a child: they would take its port or run other code.
const NOT_INHERITED = /^(--inspect|--eval|-e$|-p$|--print|--test|--watch|--cpu-prof|--heap-prof)/;

/** Node flags for a host: conditions and loaders of the driver, but no debugger port. */
export function hostExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < execArgv.length; index++) {
    const flag = execArgv[index] ?? '';
    if (!NOT_INHERITED.test(flag)) kept.push(flag);
    // `-e code`: the code goes, too.
    else if (/^(-e|-p|--eval|--print)$/.test(flag)) index++;
  }
  return kept;
}
