;; Writes over the request and all else.
;; expect: decides allow/rule allow/rule allow/rule allow/rule
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 0xff) (i32.const 0x20000))
    (i32.const 8)))
