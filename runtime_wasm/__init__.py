"""What runs inside the sandbox: the WebAssembly prelude as text, by topic. `docs/abi.md` is the interface."""
