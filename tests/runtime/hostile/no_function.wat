;; Has a global for its function.
;; expect: refused `decide` is no function
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (global (export "decide") i32 (i32.const 0)))
