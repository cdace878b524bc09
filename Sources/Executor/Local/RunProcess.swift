internal import CSandbox
internal import Glibc

/// Another process of this program, with the same environment, output and input.
package enum RunProcess {
    /// Starts it with these arguments. Gives 0, or an error number below zero.
    package static func start(
        _ words: [String], _ pid: inout Int32, _ handle: inout Int32
    ) -> Int32 {
        let arguments = CStrings(["/proc/self/exe"] + words)
        let variables = CStrings(Podman.environment)
        guard let folder = getcwd(nil, 0) else { return -errno }
        defer { free(folder) }
        var failed: Int32 = 0
        var step = danube_step(
            arguments: arguments.pointers, environment: variables.pointers, search: folder,
            folder: folder, input: 0, output: 1, error: 2, script: -1, source: nil, view: nil)
        return danube_step_start(&step, &pid, &handle, &failed)
    }
}
