;; Claims another interface.
;; expect: refused the module has interface 2, this runtime 1
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 2))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 8)))
