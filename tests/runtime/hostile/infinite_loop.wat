;; Never ends.
;; expect: decides deny/engine_fault deny/engine_fault deny/engine_fault deny/engine_fault
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (loop $again (br $again))
    (i32.const 8)))
