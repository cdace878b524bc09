import Glibc

/// Reads many inputs that nobody would send, in this process: a crash of a reader ends it.
///
///     danube-fuzz SURFACE --corpus FOLDER --kept FILE [--seconds N] [--seed N] [--input FILE]
///
/// `scripts/fuzz` makes the corpora, runs this for each surface, and saves what is kept.
@main
struct Fuzz {
    private var corpus = ""
    private var kept = ""
    private var input: String?
    private var seconds = 30.0
    private var seed: UInt64 = 1
    private let surface: Surface

    /// A single input may take this long before it counts as a hang.
    private static let hangSeconds: UInt32 = 30
    private static let memoryBytes: rlim_t = 2 << 30

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let name = arguments.first,
            let surface = Surface.all.first(where: { $0.name == name })
        else {
            print(Surface.all.map(\.name).joined(separator: "\n"))
            exit(arguments == ["--list"] ? 0 : 2)
        }
        #if LIBFUZZER
            runLibFuzzer(surface)
        #else
            var fuzz = Fuzz(surface: surface)
            fuzz.take(Array(arguments.dropFirst()))
            fuzz.run()
        #endif
    }

    private init(surface: Surface) { self.surface = surface }

    private mutating func take(_ arguments: [String]) {
        for index in stride(from: 0, to: arguments.count - 1, by: 2) {
            let value = arguments[index + 1]
            switch arguments[index] {
            case "--corpus": corpus = value
            case "--kept": kept = value
            case "--input": input = value
            case "--seconds": seconds = Double(value) ?? seconds
            case "--seed": seed = UInt64(value) ?? seed
            default: fail("unknown option \(arguments[index])")
            }
        }
    }

    private func run() {
        var limit = rlimit(rlim_cur: Self.memoryBytes, rlim_max: Self.memoryBytes)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        if let input {
            guard let bytes = Files.read(input) else { fail("cannot read \(input)") }
            surface.read(bytes)
            return print("\(input): no crash")
        }
        let inputs = Files.contents(of: corpus)
        guard !inputs.isEmpty else { fail("no inputs in \(corpus)") }
        guard let kept = KeptInput(kept) else { fail("cannot write \(self.kept)") }
        for bytes in inputs {
            kept.keep(bytes)
            surface.read(bytes)
        }
        var chance = Chance(seed: seed)
        var count = inputs.count
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var last = clock.now
        while count % 64 != 0 || clock.now < end {
            let input = surface.mutate(chance.pick(inputs), inputs, &chance)
            kept.keep(input)
            alarm(Self.hangSeconds)
            surface.read(input)
            count += 1
            if count % 65536 == 0 {
                print("\(surface.name): \(count) inputs, \(clock.now - last) for the last 65536")
                last = clock.now
            }
        }
        alarm(0)
        print("\(surface.name): \(count) inputs, seed \(seed), no crash")
    }

    private func fail(_ message: String) -> Never {
        print("danube-fuzz: \(message)")
        exit(3)
    }
}
