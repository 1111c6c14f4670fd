;; Spends its time in one instruction that fills much memory.
;; expect: decides deny/engine_fault deny/engine_fault deny/engine_fault deny/engine_fault
(module
  (memory (export "memory") 256 256)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (loop $again
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 0x1000000))
      (br $again))
    (i32.const 8)))
