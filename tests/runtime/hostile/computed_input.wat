;; Has its input region where another global says.
;; expect: refused a global of the module starts as no constant number
(module
  (memory (export "memory") 2 2)
  (global $place i32 (i32.const 1024))
  (global (export "input") i32 (global.get $place))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 8)))
