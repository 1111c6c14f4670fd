;; Would change what it claims.
;; expect: refused `abi` is no constant of type i32
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") (mut i32) (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 8)))
