"""From a checked policy to one WebAssembly module: lower, emit, link the prelude, assemble."""
