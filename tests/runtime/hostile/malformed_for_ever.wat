;; Refuses every request, also the careful one.
;; expect: decides deny/malformed_request deny/malformed_request deny/malformed_request deny/malformed_request
(module
  (memory (export "memory") 2 2)
  (global (export "input") i32 (i32.const 1024))
  (global (export "capacity") i32 (i32.const 65536))
  (global (export "abi") i32 (i32.const 1))
  (func $decide (export "decide") (param $length i32) (result i32)
    (i32.const 2)))
