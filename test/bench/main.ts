import { callsAndDeliveries } from './calls-and-deliveries.js';

const scenarios: Readonly<Record<string, (json: boolean) => Promise<void>>> = {
  'calls-and-deliveries': callsAndDeliveries,
};

const [name = 'calls-and-deliveries'] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const scenario = scenarios[name];
if (scenario === undefined) {
  process.stderr.write(`There is no benchmark '${name}'. There are: ${Object.keys(scenarios).join(', ')}.\n`);
  process.exitCode = 1;
} else await scenario(process.argv.includes('--json'));
