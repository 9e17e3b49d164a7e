/** The last word of a name that means a secret: `dbPassword`, `API_KEY`; but neither `tokenCount` nor `secretary`. */
const SECRET_NAME =
  /(?:^|[._])(?:password|passwd|pwd|passphrase|secret|token|credentials?|authorization|(?:api|private|access|secret|signing|encryption)_?key)$/;

/** Texts that are secrets whatever they are called: keys of known issuers, PEM, JSON web tokens, URLs with a password. */
const SECRET_VALUE =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|^(?:AKIA|ASIA)[0-9A-Z]{16}$|^(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})|^xox[abposr]-[\w-]{10,}|^[sr]k_(?:live|test)_\w{10,}|^sk-[\w-]{20,}$|^AIza[\w-]{35}$|^eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+$|^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/;

/** Separators, language codes and the like are called token, too. */
const LENGTH_MIN = 4;
const SCANNED_MAX = 4096;

/** Whether `value`, found under `name` (a variable, property or Map key; '' for none), looks like a secret. */
export function looksSecret(name: string, value: string): boolean {
  if (value.length < LENGTH_MIN) return false;
  return SECRET_NAME.test(words(name)) || SECRET_VALUE.test(value.slice(0, SCANNED_MAX));
}

/** `dbPassword`, `DB_PASSWORD`, `db-password`: all `db_password`. */
function words(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase();
}

/** `DB_PASSWORD`: what an environment variable for it would be called. */
export function environmentName(name: string): string {
  return words(name)
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toUpperCase();
}
