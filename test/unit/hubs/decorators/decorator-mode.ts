let mode = 'none';

// A legacy decorator of a class is called without a context.
function probe(_type: unknown, context?: unknown): void {
  mode = context === undefined ? 'legacy' : 'standard';
}

@probe
class Probed {}
void Probed;

/** The files of this folder are compiled twice, once in each mode. */
export const decoratorMode = mode;
