;; Fills a table, which costs one unit of fuel for any length.
;; expect: refused a function has an instruction that this interface does not allow
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (loop $again
      (table.fill (i32.const 0) (ref.null func) (i32.const 10000000))
      (br $again))
    (i32.const 8))
  (table 20000 20000 funcref))
