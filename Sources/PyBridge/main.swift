// `danube-pybridge`: the evaluator's process. It speaks frames on descriptor 3 with the compiler
// that
// started it, and nothing else. See docs/security-model.md.
internal import CPython
internal import CSandbox
internal import Glibc

/// The program's own file: the compiled Python modules are kept beside it.
func executablePath() -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlink("/proc/self/exe", &bytes, Int(PATH_MAX))
    guard length > 0 else { return CommandLine.arguments.first ?? "danube-pybridge" }
    return String(decoding: bytes[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The number that `danube_spawn` gives as `--namespaces=`, in hexadecimal digits.
func inheritedNamespaces() -> UInt32? {
    let prefix = "--namespaces="
    guard let argument = CommandLine.arguments.dropFirst().first, argument.hasPrefix(prefix) else {
        return nil
    }
    return UInt32(argument.dropFirst(prefix.count), radix: 16)
}

/// Seals the process and sends the greeting. Ends the process where the seal is not enough.
func sealAndGreet(namespaces: UInt32, settings: danube_settings) {
    var limits = danube_limits()
    limits.memory_bytes = UInt64(max(0, settings.memory_bytes))
    limits.cpu_seconds = UInt64(max(0, settings.cpu_seconds))
    limits.stack_bytes = UInt64(max(0, settings.stack_bytes))
    let sealed = withUnsafeTemporaryAllocation(
        of: danube_layer.self, capacity: Int(DANUBE_LAYER_MAX)
    ) { layers in
        layers.initialize(repeating: danube_layer())
        let count = danube_seal(namespaces, &limits, layers.baseAddress)
        for layer in layers.prefix(Int(count)) {
            withUnsafeBytes(of: layer.detail) { detail in
                danube_hello_layer(
                    layer.name, layer.holds,
                    detail.baseAddress?.assumingMemoryBound(to: CChar.self))
            }
        }
        return danube_sealed(layers.baseAddress, count)
    }
    guard danube_hello_send(nil) == 0 else { _exit(Int32(DANUBE_EXIT_CHANNEL)) }
    guard sealed else { _exit(Int32(DANUBE_EXIT_UNSEALED)) }
}

danube_child_begin()
if CommandLine.arguments == [CommandLine.arguments[0], "--compile"] {
    _exit(danube_python_compile(executablePath()))
}
guard let namespaces = inheritedNamespaces() else { _exit(Int32(DANUBE_EXIT_USAGE)) }
if CommandLine.arguments.count == 2 {
    danube_python_prepare(executablePath(), CommandLine.arguments[1])
}
var settings = danube_settings()
guard danube_configuration_receive(&settings) == 0 else { _exit(Int32(DANUBE_EXIT_CHANNEL)) }
if let problem = danube_python_start(executablePath(), &settings) {
    _ = danube_hello_send(problem)
    _exit(Int32(DANUBE_EXIT_PYTHON))
}
sealAndGreet(namespaces: namespaces, settings: settings)
_exit(danube_python_run())
