;; Answers each call differently: every answer is one of the table, and then one that is not. What it has not yet answered, it is asked twice.
;; expect: decides allow/rule deny/constraint_failed deny/engine_fault allow/rule
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (global $calls (mut i32) (i32.const 0))
  (func $decide (export "decide") (param $length i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.add (global.get $calls) (i32.const 7))))
