;; Calls itself with many values on the stack.
;; expect: decides deny/engine_fault deny/engine_fault deny/engine_fault deny/engine_fault
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.add (i32.add (call $decide (local.get $length)) (call $decide (i32.const 1)))
      (i32.add (call $decide (i32.const 2)) (call $decide (i32.const 3))))))
