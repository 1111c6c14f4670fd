;; Has data after the end of its memory.
;; expect: refused a data segment of the module is outside its memory
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 8))
  (data (i32.const 0x1ffff) "ab"))
