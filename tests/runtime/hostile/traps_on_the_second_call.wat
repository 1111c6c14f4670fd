;; Answers once, then traps; a new instance answers once again.
;; expect: decides allow/rule deny/engine_fault allow/rule deny/engine_fault
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (global $calls (mut i32) (i32.const 0))
  (func $decide (export "decide") (param $length i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.gt_u (global.get $calls) (i32.const 1)) (then (unreachable)))
    (i32.const 8)))
