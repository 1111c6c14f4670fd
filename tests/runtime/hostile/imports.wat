;; Wants a function of the host.
;; expect: refused the module has imports
(module
  (import "env" "f" (func $host (param i32) (result i32)))
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func (export "decide") (param i32) (result i32) (call $host (local.get 0))))
