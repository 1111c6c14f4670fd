;; Writes after the end of its memory.
;; expect: decides deny/engine_fault deny/engine_fault deny/engine_fault deny/engine_fault
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.store (i32.const 0x20000) (i32.const 1))
    (i32.const 8)))
