;; Asks for 4 GiB.
;; expect: refused the memory has 4294967296 bytes, more than 16777216
(module
  (memory (export "memory") 65536 65536)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 8)))
