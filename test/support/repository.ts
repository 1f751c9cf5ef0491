import { fileURLToPath } from 'node:url';

/** The repository's folder, from a compiled file of this one (`test/dist/support`). */
export const repositoryUrl = new URL('../../../', import.meta.url);

/** The path of a file or folder of the repository. */
export const repositoryPath = (path: string): string => fileURLToPath(new URL(path, repositoryUrl));

/** Imports one of the repository's scripts; they are plain JavaScript, so the caller says what is in it. */
export async function importScript<Exports>(name: string): Promise<Exports> {
  return (await import(new URL(`scripts/${name}`, repositoryUrl).href)) as Exports;
}
