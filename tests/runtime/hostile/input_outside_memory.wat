;; Its input region ends after its memory.
;; expect: refused the module's regions are outside its memory
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 65537))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 8)))
