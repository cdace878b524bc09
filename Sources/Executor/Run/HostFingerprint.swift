internal import Glibc
internal import PipelineIR

/// What tells this machine's tools from another's, for steps that run in no image.
///
/// It is the distribution's release, the C library, and where programs are looked up: an upgrade of
/// one package is not seen. A step whose result depends on it names an image.
package enum HostFingerprint {
    /// The fingerprint, for steps that find programs in the path that Danube was started with.
    package static func current() -> String {
        current(path: StepEnvironment(temporary: "").path)
    }

    /// The fingerprint.
    static func current(path: String) -> String {
        var hasher = DigestHasher()
        hasher.update(AtomicFile.read("/etc/os-release", most: 1 << 16) ?? [])
        hasher.update([0])
        hasher.update(libraryVersion)
        hasher.update([0])
        hasher.update(path)
        return String(hasher.finalize().hex.prefix(32))
    }

    private static var libraryVersion: [UInt8] {
        let name = Int32(_CS_GNU_LIBC_VERSION)
        let text = [CChar](unsafeUninitializedCapacity: 64) { buffer, count in
            count = min(confstr(name, buffer.baseAddress, buffer.count), buffer.count)
        }
        return text.map { UInt8(bitPattern: $0) }
    }

    /// Operating system and processor.
    static var platform: String {
        #if arch(x86_64)
            "linux/amd64"
        #elseif arch(arm64)
            "linux/arm64"
        #else
            "linux/other"
        #endif
    }
}
