;; Spends its fuel on the slowest loads and stores.
;; expect: decides deny/engine_fault deny/engine_fault deny/engine_fault deny/engine_fault
(module
  (memory (export "memory") 256 256)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32) (local $at i32)
    (loop $again
      (i32.store
        (i32.and (local.tee $at (i32.mul (i32.add (local.get $at) (i32.const 12345)) (i32.const 0x9e3779b1))) (i32.const 0xfffffc))
        (local.get $at))
      (br $again))
    (i32.const 8)))
