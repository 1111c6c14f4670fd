;; Asks for ten million elements.
;; expect: refused the table has 10000000 elements, more than 20001
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 8))
  (table 10000000 10000000 funcref))
