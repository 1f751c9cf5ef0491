// The report of what each package exports: <package>/api/<entry>.api.md. `npm run api` writes the reports, `npm run
// api:check` fails if what is there differs: a change of the public interface is to be seen in a review.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from './packages.mjs';
import { build, install, root } from './setup.mjs';

const check = process.argv.includes('--check');

install('all');
build(...packages.map(({ folder }) => folder));
const { Extractor, ExtractorConfig } = await import('@microsoft/api-extractor');

for (const { folder, entries } of packages) {
  for (const entry of entries) {
    const { apiReportChanged, errorCount } = report(folder, entry);
    if (errorCount > 0) process.exitCode = 1;
    if (!apiReportChanged) continue;
    console.log(`${check ? 'Differs' : 'Written'}: ${join(folder, 'api', `${entry.name}.api.md`)}`);
    if (check) process.exitCode = 1;
  }
}
if (check && process.exitCode) console.error("Run 'npm run api', look at the difference, and commit it.");

function report(folder, { path, name, types }) {
  const reportFolder = join(folder, 'api');
  const reportTempFolder = join(root, 'node_modules/.cache/api');
  for (const needed of [reportFolder, reportTempFolder]) mkdirSync(needed, { recursive: true });
  const configObject = {
    projectFolder: folder,
    mainEntryPointFilePath: join(folder, types),
    // It brings a TypeScript of its own and reads emitted declarations, so the options that we build with are not its.
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'es2022',
          module: 'nodenext',
          lib: ['es2022', 'esnext.decorators', 'esnext.disposable'],
          types: ['node'],
          strict: true,
        },
        files: [join(folder, types)],
      },
    },
    apiReport: {
      enabled: true,
      reportFolder,
      reportTempFolder,
      reportFileName: name,
      // A type that only stands in signatures can be changed by mistake too. A subpath's are the package's.
      includeForgottenExports: path === '.',
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    newlineKind: 'lf',
    // Remarks would bring line numbers into the report, which then changed with every edit.
    messages: {
      compilerMessageReporting: { default: { logLevel: 'error' } },
      extractorMessageReporting: { default: { logLevel: 'none' } },
      tsdocMessageReporting: { default: { logLevel: 'none' } },
    },
  };
  const packageJsonFullPath = join(folder, 'package.json');
  const config = ExtractorConfig.prepare({ configObject, configObjectFullPath: undefined, packageJsonFullPath });
  const messageCallback = (message) => {
    message.handled = message.logLevel !== 'error';
  };
  return Extractor.invoke(config, { localBuild: !check, messageCallback });
}
