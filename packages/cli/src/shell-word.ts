// Words of commands that are shown, as a shell takes them.

/** Quoted where it has to be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Passwords in URLs go neither to screens nor to logs. */
export function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/)[^/@\s]+@/g, "$1***@");
}
