#if LIBFUZZER
    import Glibc

    // libFuzzer chooses inputs by the code that they reach. Its driver is called from here, since
    // Swift has its own `main`; it brings the mutations that know nothing of the form.

    @_silgen_name("LLVMFuzzerRunDriver")
    private func libFuzzerDriver(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    @_silgen_name("LLVMFuzzerMutate")
    private func libFuzzerMutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int)
        -> Int

    // SAFETY: libFuzzer calls back on the thread that called its driver, one call at a time.
    nonisolated(unsafe) private var surface: Surface?
    // SAFETY: The same.
    nonisolated(unsafe) private var donors: [[UInt8]] = []

    /// Runs libFuzzer on a surface; the arguments after its name are libFuzzer's own.
    func runLibFuzzer(_ chosen: Surface) -> Never {
        surface = chosen
        var count = CommandLine.argc - 1
        var arguments = CommandLine.unsafeArgv + 1
        exit(
            libFuzzerDriver(&count, &arguments) { data, size in
                surface?.read(Array(UnsafeBufferPointer(start: data, count: size)))
                return 0
            })
    }

    /// What libFuzzer calls to change an input, instead of its own way.
    @_cdecl("LLVMFuzzerCustomMutator")
    func libFuzzerCustomMutator(
        _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int, _ seed: UInt32
    ) -> Int {
        var chance = Chance(seed: UInt64(seed))
        if chance.oneIn(4) { return libFuzzerMutate(data, size, most) }
        let input = Array(UnsafeBufferPointer(start: data, count: size))
        // Pieces of inputs that were seen lately go into others.
        if donors.count < 256 {
            donors.append(input)
        } else {
            donors[chance.below(256)] = input
        }
        guard let changed = surface?.mutate(input, donors, &chance), changed.count <= most else {
            return libFuzzerMutate(data, size, most)
        }
        for (index, byte) in changed.enumerated() { data[index] = byte }
        return changed.count
    }
#endif
