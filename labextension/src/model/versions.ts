// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

/**
 * Whether two releases understand each other: the same first number, and before 1.0 the same second one too.
 */
export function fits(server: string, here: string): boolean {
  const [a, b] = [server, here].map(version => version.split('.').map(part => parseInt(part, 10)));
  return a[0] === b[0] && (a[0] !== 0 || a[1] === b[1]);
}
