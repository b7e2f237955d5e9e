#pragma once

#include <string_view>
#include <utility>

// Written by make_jwt_tokens.py.
namespace extproc::jwt::tokens {

inline constexpr std::string_view kKeys =
    R"({"keys": [{"kty": "RSA", "key_ops": ["verify"], "n": "6Wx8nQRr8lea5-DBAWd6kr_cn3)"
    R"(a4K5wS5Sg0lOia09wrKdveW7hNwS_Allaog4qAHoiDEq7GkgV5uVWQjdgpGua5VZ2T4DAJyoSi_trYi2)"
    R"(_gQQt4g0JkG4pjz8JuR--pisDnxNLcabDPJwgFLRwUyNr2ADlz0vL77mnGgUhF3rtedO5CDVpts-GTLw)"
    R"(WXLb0qSLrhiIFt3Ddtyj79PWxMmYXf6JA1x08gj5KxmIHn4d0jlBE95LLNowmQShGeWZ9x17z6xMgEYo)"
    R"(wF9s0gtFPNClXrH09rkn4ojuOjxuWchenrpRaJ2iVnmQ7zYTHigI_MgCMS60EzBn9FvgSmOKJbdw", ")"
    R"(e": "AQAB", "kid": "RS256", "use": "sig"}, {"kty": "RSA", "key_ops": ["verify"],)"
    R"( "n": "6Wx8nQRr8lea5-DBAWd6kr_cn3a4K5wS5Sg0lOia09wrKdveW7hNwS_Allaog4qAHoiDEq7Gk)"
    R"(gV5uVWQjdgpGua5VZ2T4DAJyoSi_trYi2_gQQt4g0JkG4pjz8JuR--pisDnxNLcabDPJwgFLRwUyNr2A)"
    R"(Dlz0vL77mnGgUhF3rtedO5CDVpts-GTLwWXLb0qSLrhiIFt3Ddtyj79PWxMmYXf6JA1x08gj5KxmIHn4)"
    R"(d0jlBE95LLNowmQShGeWZ9x17z6xMgEYowF9s0gtFPNClXrH09rkn4ojuOjxuWchenrpRaJ2iVnmQ7zY)"
    R"(THigI_MgCMS60EzBn9FvgSmOKJbdw", "e": "AQAB", "kid": "RS384", "use": "sig"}, {"kt)"
    R"(y": "RSA", "key_ops": ["verify"], "n": "6Wx8nQRr8lea5-DBAWd6kr_cn3a4K5wS5Sg0lOia)"
    R"(09wrKdveW7hNwS_Allaog4qAHoiDEq7GkgV5uVWQjdgpGua5VZ2T4DAJyoSi_trYi2_gQQt4g0JkG4pj)"
    R"(z8JuR--pisDnxNLcabDPJwgFLRwUyNr2ADlz0vL77mnGgUhF3rtedO5CDVpts-GTLwWXLb0qSLrhiIFt)"
    R"(3Ddtyj79PWxMmYXf6JA1x08gj5KxmIHn4d0jlBE95LLNowmQShGeWZ9x17z6xMgEYowF9s0gtFPNClXr)"
    R"(H09rkn4ojuOjxuWchenrpRaJ2iVnmQ7zYTHigI_MgCMS60EzBn9FvgSmOKJbdw", "e": "AQAB", "k)"
    R"(id": "RS512", "use": "sig"}, {"kty": "RSA", "key_ops": ["verify"], "n": "6Wx8nQR)"
    R"(r8lea5-DBAWd6kr_cn3a4K5wS5Sg0lOia09wrKdveW7hNwS_Allaog4qAHoiDEq7GkgV5uVWQjdgpGua)"
    R"(5VZ2T4DAJyoSi_trYi2_gQQt4g0JkG4pjz8JuR--pisDnxNLcabDPJwgFLRwUyNr2ADlz0vL77mnGgUh)"
    R"(F3rtedO5CDVpts-GTLwWXLb0qSLrhiIFt3Ddtyj79PWxMmYXf6JA1x08gj5KxmIHn4d0jlBE95LLNowm)"
    R"(QShGeWZ9x17z6xMgEYowF9s0gtFPNClXrH09rkn4ojuOjxuWchenrpRaJ2iVnmQ7zYTHigI_MgCMS60E)"
    R"(zBn9FvgSmOKJbdw", "e": "AQAB", "kid": "PS256", "use": "sig"}, {"kty": "RSA", "ke)"
    R"(y_ops": ["verify"], "n": "6Wx8nQRr8lea5-DBAWd6kr_cn3a4K5wS5Sg0lOia09wrKdveW7hNwS)"
    R"(_Allaog4qAHoiDEq7GkgV5uVWQjdgpGua5VZ2T4DAJyoSi_trYi2_gQQt4g0JkG4pjz8JuR--pisDnxN)"
    R"(LcabDPJwgFLRwUyNr2ADlz0vL77mnGgUhF3rtedO5CDVpts-GTLwWXLb0qSLrhiIFt3Ddtyj79PWxMmY)"
    R"(Xf6JA1x08gj5KxmIHn4d0jlBE95LLNowmQShGeWZ9x17z6xMgEYowF9s0gtFPNClXrH09rkn4ojuOjxu)"
    R"(WchenrpRaJ2iVnmQ7zYTHigI_MgCMS60EzBn9FvgSmOKJbdw", "e": "AQAB", "kid": "PS384", )"
    R"("use": "sig"}, {"kty": "RSA", "key_ops": ["verify"], "n": "6Wx8nQRr8lea5-DBAWd6k)"
    R"(r_cn3a4K5wS5Sg0lOia09wrKdveW7hNwS_Allaog4qAHoiDEq7GkgV5uVWQjdgpGua5VZ2T4DAJyoSi_)"
    R"(trYi2_gQQt4g0JkG4pjz8JuR--pisDnxNLcabDPJwgFLRwUyNr2ADlz0vL77mnGgUhF3rtedO5CDVpts)"
    R"(-GTLwWXLb0qSLrhiIFt3Ddtyj79PWxMmYXf6JA1x08gj5KxmIHn4d0jlBE95LLNowmQShGeWZ9x17z6x)"
    R"(MgEYowF9s0gtFPNClXrH09rkn4ojuOjxuWchenrpRaJ2iVnmQ7zYTHigI_MgCMS60EzBn9FvgSmOKJbd)"
    R"(w", "e": "AQAB", "kid": "PS512", "use": "sig"}, {"kty": "EC", "crv": "P-256", "x)"
    R"(": "KTn3DAmI4AECkqLRPwe7UNs1l3QVxc1QfOs7Bj1ly_Q", "y": "lcOiIJhokTjzqFLEQ0xGvqV8)"
    R"(-uaMIy8glv-7q8tFYg8", "kid": "ES256", "use": "sig"}, {"kty": "EC", "crv": "P-384)"
    R"(", "x": "LKpZkXW8zG9VzGW-KfAGSPOu4jfWailTU-REv-yVV_Vn1wC3CIeqg9cbwmxaLb__", "y":)"
    R"( "wRxsqNPII3UJ4mePRVEbG_NuimJTVvpyKZAICewKO4glJM6r0OF9D1v5j2_OXHz3", "kid": "ES3)"
    R"(84", "use": "sig"}, {"kty": "EC", "crv": "P-521", "x": "ALsEKXDoUQqf69Y2Mz4MBTo-)"
    R"(QfHpnbBz0-RRsWM45eHmyC-H2LaXGYHbx-rEvIr3IedWJ5WXrUBhpXno4W820guV", "y": "AJ4u0L9)"
    R"(J5VqTH-gAI-WG0VcGlwlDbIMASouf2A-3EyYqny2W7umQ4Wmu0dIFB5xO8cpVLT9hmle0QacDz27H3go)"
    R"(R", "kid": "ES512", "use": "sig"}, {"x": "5WCAxWeTbA40vJlUfD4Q7LztgELu4w3mIH2R1U)"
    R"(JT_4w", "kty": "OKP", "crv": "Ed25519", "kid": "Ed25519", "use": "sig"}, {"x": ")"
    R"(RWRpoP2el8fDESxvGs9JQBmCbN-cn5aPBLSZv4C45eqYHox5UP8laDjit5N9_0GVW_bfF9k3C74A", ")"
    R"(kty": "OKP", "crv": "Ed448", "kid": "Ed448", "use": "sig"}]})";

/// Of 1,024 bits.
inline constexpr std::string_view kWeakKeys =
    R"({"keys": [{"kty": "RSA", "key_ops": ["verify"], "n": "1dcw6iGlAh_QAedNicVrSTc3FH)"
    R"(TQMttAUehP5hdbwvZ-IVUMQaVu2a71TfH56VdKcUyYXu7G3HmZXeyUAOjz9rij4CaupRnEJ9EFhkWm_y)"
    R"(auTK7yA1NjCHzKQdFGTdrqknfQdep2ItMPsK45Ub38MDg0QrltxRYChPh-evgW158", "e": "AQAB",)"
    R"( "kid": "weak"}]})";

/// The key of RS and PS.
inline constexpr std::string_view kPem =
    R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA6Wx8nQRr8lea5+DBAWd6
kr/cn3a4K5wS5Sg0lOia09wrKdveW7hNwS/Allaog4qAHoiDEq7GkgV5uVWQjdgp
Gua5VZ2T4DAJyoSi/trYi2/gQQt4g0JkG4pjz8JuR++pisDnxNLcabDPJwgFLRwU
yNr2ADlz0vL77mnGgUhF3rtedO5CDVpts+GTLwWXLb0qSLrhiIFt3Ddtyj79PWxM
mYXf6JA1x08gj5KxmIHn4d0jlBE95LLNowmQShGeWZ9x17z6xMgEYowF9s0gtFPN
ClXrH09rkn4ojuOjxuWchenrpRaJ2iVnmQ7zYTHigI/MgCMS60EzBn9FvgSmOKJb
dwIDAQAB
-----END PUBLIC KEY-----
)";

/// kid, and a token.
inline constexpr std::pair<std::string_view, std::string_view> kTokens[] = {
    {"RS256", R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.q6H8eY2DpBQyj5P36IBvD51belSZI1K_UYJ4mddvOEfbLSQ)"
              R"(cxnNBnQKfgFOJxOT3W6WJAfdgbe5jHbqSHD6PsNz076cWqFORprpIkwwn6PVgQhMf_k0TA4O1bHNa6oL)"
              R"(lDvW7GHaQNhIwpCxfnUHjQqpRoIEPuUGnGIZ3xUHNfeINnEDgB3iHGuSCkcVPf_3P2WXL-fM1_aPYRIM)"
              R"(b1LYR8zz4N0X8AerIJO98kUnqtlPjNHNIEUDXAQR4MfJZKMB-Ct-LN9gOLOLz0eB842PVLsMEYqgnkK_)"
              R"(AoIGDL8CX-9MmxJKUXTTvXcRNrl14KbwaRVv2wSk-xSx-H9FGmyPPOg)"},
    {"RS384", R"(eyJhbGciOiJSUzM4NCIsImtpZCI6IlJTMzg0IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.BxTFaHVcNY9s7c_WpkVUImX6Ub1jEsxZik8NcOtJResGcCF)"
              R"(gj30R5dqSJIu7R4YZEW6yjFgdr859MLp6BRpqYE5Jt5vWJZs0WntmVAorBOzBKBVvAT6hpzkI9cEYTdl)"
              R"(V-P5h6AM0eeTCtKSgpV3qKhiGUDf_TakBu8N82XeNTP115ctx9XomlvKkiG1BD_31xYgfh1CdmQtQMVC)"
              R"(_XPRl-iJoANEY83UUGPEQRIawtTqqQrx2PYlN1Tilv5n0O0h9hJDOc_qfSz0EcFKX9mFK-j7H_D5j2bW)"
              R"(AnvTK3tPiPTFhINMAuHISUtm9aG6E55xag8hNwLefIPQB5kNT0Aeu7A)"},
    {"RS512", R"(eyJhbGciOiJSUzUxMiIsImtpZCI6IlJTNTEyIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.PIaYVzqkihhLOMtAmgYyhqUUn7jZG71WI-kwNonvoQetW0W)"
              R"(sKQG1EW4C2la6pycIVTTes99L9qnaaaRSDm1M1ti4iMMtR_6ZPv3zXeEr4ccX65zFjXwR0LFJHHijWCq)"
              R"(IRSYinrRcN1Rr0RpuOi4ioOtH2uB5Cs0JGFZpJ-DHH89vLLLpxvGmuO2ASGH0gyD8l2cq2ymhDPJX_Bc)"
              R"(bRpr63ex9RHmSvY5uGFwLd9SwP1Ojz-5mB8_-Jmq2LNpDxJjwub3cQgtHELAnt8Gdh2G6mC73D0Ps7ZB)"
              R"(FP3CdtUOv8xAGpa79fmwAcws7uPVW2KVh_3vzWdq6M1i5huAv1Aj-lA)"},
    {"PS256", R"(eyJhbGciOiJQUzI1NiIsImtpZCI6IlBTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.5YT6cjRjwXYRpDRYQ7iQYpFgBtg6XWyUl1wLolD6GC9tyq9)"
              R"(K8bUkeXvcSKl8SxppuwDuKroOn5n59nDu3oF_j0kDleVbBFYgcrZfSNlLnvjK7CPOp7RrTPxKlZd6n2_)"
              R"(_rKD3FoKicS-ZCGk0ScCJOzJxPXYPHwxgpsjb1jk4JVrGljlXtaQtk-1A1oUUNaQ64UCXHEOqqXqwdJe)"
              R"(R6CvOh3iQTz_Mqoop4n_z-OBE7x_Q8vwkmvnKALERh5A06sIEdtmXJKVQCJmfioZvmCJglKcJdpvyWXt)"
              R"(bneDRc5B_8AncXYtKxcU6oeGMq5lLKNkYWJ_NnjFUwavYc9DHetNk0A)"},
    {"PS384", R"(eyJhbGciOiJQUzM4NCIsImtpZCI6IlBTMzg0IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.ffTFBMbHZrXKtRBTHTHx9tyQoTpLprORq8eh596KeTOLJ_Z)"
              R"(vaDOwvCz3RolRrzwbLtdXb2DSApXebnhUPRJqkjVK-YsUKWNawV5klZKwXriKws2w1Qg0If6oVvAXG7_)"
              R"(x7yQFj52GX6sQ1hmfySpp0-2kspx0NMXv72E3CjPjyxh2rskhiG90ebEWU8R3zykRIE3iSO7lh-prWJL)"
              R"(IvCFHrUI3ksWUC0U9VTG2oRZ1YAO2qtWzr3nAv4W_g0xQON65Akkcu4ByWBplyECkdYFod2YrubB3t3t)"
              R"(VUsLTGmPdet2QIl1PjHlI-x30U9o3jnMuO-VPqLG4m-5l1yeJ15k_NQ)"},
    {"PS512", R"(eyJhbGciOiJQUzUxMiIsImtpZCI6IlBTNTEyIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.BoUOxORGBNS5j6N-YRE497Y5ocB0ja1vXWzQ1bcOqTNYQ8j)"
              R"(745u-I0pVztOoNqiiUXZfl0Xfj8u1j8E2xRNoVvgUbHU0W7EB5FgE-gHex65t73LNzVRhAbitJLLrHpw)"
              R"(R8fUut4HDUTxIH-kjZ0GbahV5cDJhMSw6KsOAzjlMzZZA26vriqxrNfNIPw3XEHlxl6F8RiOd4P7TX2V)"
              R"(NtQyphX4wkVeQI2qMRQkrwK1xEuRv1_NtRWLE-mSf0fXiCcyXYPTogmfRjjgvE8XhHNPBb2YK8RmAvCh)"
              R"(Tc6byHZINaXk2UN6ylPhGS_Yaa9lDLkBjEydV0QK4lmmX1vhX8ibOKA)"},
    {"ES256", R"(eyJhbGciOiJFUzI1NiIsImtpZCI6IkVTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.aF2OeGZp86f_aw_19vsfMFOl4A0BuxR51ZNGuT3ObpzCmHc)"
              R"(x3kqiHRyfMmWJUcKvjzNw9v90dmFXPTy6GRcCpw)"},
    {"ES384", R"(eyJhbGciOiJFUzM4NCIsImtpZCI6IkVTMzg0IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.VKIi8p5Q0TFbXFC4_CzPT4ZCzehoSM5GytGX2o1nJGkmgcN)"
              R"(1-lePuIaucU8yVHI-EqcHX3brh1a1q3ZQaYe-K8o39VsuhW-hhPes3pby1Dx882Y3QuQOV2ooXyeP-hD)"
              R"(2)"},
    {"ES512", R"(eyJhbGciOiJFUzUxMiIsImtpZCI6IkVTNTEyIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.ACXOrc1f8_eED2leD7HqtIX3ZiE0kHBUn2OPxHSmi31lcNn)"
              R"(kdB6K-DPCn3n9KiL7blpuN3A97NxF_HDrFy7qGjhOAWIRmAVxo3W6TST9CVqmIPWRaCg-A1yG01Fb5hn)"
              R"(_z3PoJ7zNEjzRDGTwxQBghOf8gYB287Gv8YN85dCMs9r53ble)"},
    {"Ed25519",
     R"(eyJhbGciOiJFZERTQSIsImtpZCI6IkVkMjU1MTkiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL)"
     R"(2lzc3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyM)"
     R"(DAwMDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.cupb7KMc2aQGXfx05PKlqC9i1B_lGNU6VSfls0PYK0EO)"
     R"(uZo-9kbJFFRTPdgsys-jp21SUfcj5m5dnFnOd8AGBQ)"},
    {"Ed448", R"(eyJhbGciOiJFZERTQSIsImtpZCI6IkVkNDQ4IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
              R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
              R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.Y-V_NPt1x0pQw8J3QcgzcKGqOtwQoCOf154D66yunRVIFNM)"
              R"(9hUhUv3whGA46hHP27VAw92np_y6AtJQg7O2C7QFvUquPXvQR1XSZCpsb-396zC_dYUDbjfvxFNIwAVS)"
              R"(W2a-Siw0huXlmfiMfsgNhMy0A)"},
};

/// Signed by the bytes of kPem as a symmetric key would be.
inline constexpr std::string_view kConfusedToken =
    R"(eyJhbGciOiJIUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lz)"
    R"(c3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAw)"
    R"(MDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.eOhCWmKhJ7_vYiVZ7dnokd0oeUpFcml4O0dRitFz0PA)";

inline constexpr std::string_view kWeakToken =
    R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IndlYWsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lzc)"
    R"(3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoyMDAwM)"
    R"(DAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.p7zFSAjPnVfLWvys3dCkKqyApmTNw_pRxtMb3sRu794jnM-4)"
    R"(hvclAQsp6LqhXflTXI5Hb_a3cbT81ZmjQPQfLRHjHuTFVTVKQhSpVKmt6xTJmI7QzxrizjF4-jNeyNtc)"
    R"(X6I0SK1rIZLzXh3DwLZHiVEavC67-iiwKuvvN1hLQq0)";

inline constexpr std::string_view kCritical =
    R"(eyJhbGciOiJSUzI1NiIsImNyaXQiOlsiZXhwIl0sImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJp)"
    R"(c3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFs)"
    R"(aWNlIiwiZXhwIjoyMDAwMDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.JTrSSqS-hqRtb1wJb2LTsK6TVDI)"
    R"(xAkp3StB6yZtJMeFCmaNWahIOPQwwGkW4osAvfa6r365eWDodP3sNXE6N83IM8rr0kDeIcfWBSVzatl3)"
    R"(YygvbkQlP5ech6nzIajbfXTMb0_NDC1J6V2qkIzW_hkI4qgvyjIrlwtVIanGEYfci2RTnfku88ZLv6t1)"
    R"(2JcOw_K_BMVTu0fEGjz7ms1Xh8Stf6rYGIsRv7pK-qUQMneOIvbaiNBH_Rnk_OxEsalkgDtSYXl75MCx)"
    R"(_3gnay3XS9sF8g0Bhgc29MZZcAPG7qLVq30qYbc2_6JAz6Htm_kRaHwrgyzUC5xrWsUVDsMMqow)";

inline constexpr std::string_view kOtherType =
    R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJodHRwczov)"
    R"(L2lzc3Vlci5leGFtcGxlIiwiYXVkIjpbImFwaSIsIm90aGVyIl0sInN1YiI6ImFsaWNlIiwiZXhwIjoy)"
    R"(MDAwMDAwMDAwLCJuYmYiOjE1MDAwMDAwMDB9.JOusyIvE1h0eg_fOW7Bn4nIePlPfRkr4S5a6PqWFg5d)"
    R"(hfudVpvAnVTg0huIy53c8Iuwzt04LoRFsP4c6Zq5YOZrjfeeS3JOeQmVEgCnjMf_HogzLN69VRcnfzcj)"
    R"(eYXRoX46abw7unMbq0e2_-bDdcoHM__ddVT_aRHk8fli8VUnvrYD2GKpBlp2QpzBZLIv31Wlw5sc62r0)"
    R"(MBOrQTdV7mtwZcPpZd7l6hKhJSzAxsYi_BVNigj7bJyLBLZpt6tqKjZTEf2wiVcoNRSfj7eC5FNNlcWo)"
    R"(haDRZ1D-Oioser1whZCivOFK2lWYcNASbtIVUMnvp-g0L6m4UcYlS1JACLg)";

/// Claims, and a token of them by RS256.
inline constexpr std::pair<std::string_view, std::string_view> kClaims[] = {
    {"no exp", R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJzdWIiOiAiYWxpY2UifQ.1)"
               R"(lLldKDXOk3FHLVGgkh1pj-Xz-vdPUmOgaCFsJoIb59vbcly0z17hJn6AfC-nG5W5HqAEcQrs3tJJylyX)"
               R"(Y4FrKreD4W6sLlKogsk7OO1moxvR0YM9eCQ_GM1ukZ8X5a87PA6vGESuVJz2PhVWMm-VQgvueK0W36N0)"
               R"(QoUZDObZMh55_2HzDv6ZmzfD6e1eAGMIfwAKkEZNfL9tiNOVHF-oFlu6htUMflwYdOMPkgOXTW_98PgI)"
               R"(3P7gzuNh9LSeCA8_qTktorPxIzQZJJY4V4gBm9dXhJmDQ1FPxSuCeSCcIhLqxZ3gv28UjH3UV48rOBbf)"
               R"(Duhf1xk0II4KQeFSgcj6w)"},
    {"exp is text",
     R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJleHAiOiAiMjAwMDAwMDAw)"
     R"(MCJ9.TEZKTHDySSnodHEbzvgQXhrSp8TUZfHj6NkwwIWt0wu_VH7UCz8JxP7UKz5K3m78OaUF0huHn-v)"
     R"(K7oI78uB3KJ_BwIQ6w98uPNLAMAeXwLhQE7fmL8KKqrjiwQeflE-YJu5UjpJAQUqg2sScxogES098wqS)"
     R"(x6yAvUd3myMuTvIj1KngBZtZ-Az64nZ-gtGmtbb1RQKZ1JXwgzHB7bFQJHuuIHFTALl3huc3tEqXQA16)"
     R"(bhmVdN0dUGY3M693j_EB7c6bEt5UrntV1LqmAf-YH3tU49GZ0luEj_8NB-uykyaxUBpG5xAWDh7OHegy)"
     R"(-LcIVEVWo8KgRDSSuu4ipulzYQA)"},
    {"exp is a fraction",
     R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJleHAiOiAyMDAwMDAwMDAw)"
     R"(LjV9.ENNsTDQzl77jy8AjbiMXcsIBlsxfcEsI8QRK-yLvmrIlDcrAYye0dvbioIUVOGXCzHGEbn_oF8j)"
     R"(4uP6mCKjvqkjiwtkUHSJ7AcqqJli594UGFrC12_hOZ8GvURCk1H0VTPQ2K_uRXHrhTxx6yxpvo19F87R)"
     R"(juS8iJlwwlUVsNprtSp4o9xSulZ8nYoSYkEyvN_gcpTj_LG2rkBpql2wUIPGV7r9LLZf3VBdmn70AqOu)"
     R"(df9z9RsAHCDVQ1y7LHn4A_7fIrDLEBzICf0JpbdhHqEltRLBm5Is8vW7-gI0olqGGzMjspwDxL-kziFh)"
     R"(J8nsDJ_ehNgZxgwUr6rZJDu3v3w)"},
    {"aud is text",
     R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJleHAiOiAyMDAwMDAwMDAw)"
     R"(LCAiYXVkIjogImFwaSJ9.LMgyrSz4h-djOmy-FtYCRtPb4Sudy_0_1WPi5X9lMRip0DVlA6AQmq6OvX4)"
     R"(LLT6dpLcahYP4sKmoO96CPyCsFO2PlsUJKztM3MHGJVFF7vKk9v_WfuUVeN99qaTeWuUDimwUk4Y8OYz)"
     R"(tmXsN5IN_pOjIwuodpFXEfgTsuWUvwvcsEt8a-CkD6amA__FZKNUZ0B6Z2BoviuvDodDTWOgDvDIZG6E)"
     R"(maOqob91c5Lp6Vz-4KwEV8fkF0Mt7GG9YCpewv1Qmms6Kw3pIaf3U7smtWAfGWu8VcgxTlUws7s4eQSS)"
     R"(7frHqaQI7-z9MO_E2YAjQzFhbe_zVilD_UfKezYKUkQ)"},
    {"claims are no object",
     R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.W10.ae9VSXLPu2TPxOZ6KRUC)"
     R"(odwuwfVU1IbwxkL5dX3iHlupCxBCLqQARcuXVdBApvzmtuwBMa3cT1ZGkdwACmirD44D9A6Kp6JarGRr)"
     R"(RSlrDfC0PEblAJqC_inXGuThWipg2QYV1Sw-6LysFj9-AMdR0shUw0u5s8juxnwTRxBNvPmTW9l6ZdbC)"
     R"(PKAZGnLYnGfc2vHTdm9ub95O1jXTH2QGBddMG5vyHL4udX_W3dz0bFzGYJgH9ODAhmxDfP9YltV_ue24)"
     R"(PZiVjey61PT0x-zW7u7d3NzNYf0UyjYCT7h5S40CBcVvzE-3zF3H4v22xCe3smW8Y2wHbBVg-B06IE-o)"
     R"(Sw)"},
    {"exp twice",
     R"(eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiSldUIn0.eyJleHAiOjEsImV4cCI6MjAw)"
     R"(MDAwMDAwMH0.lF3qkM0I8Tt0ahd5UxNZMJz3U2070ys-IXH5un4MXW4jO08LPucLaKqPo78tK-ACvF41)"
     R"(neT78-5WK1UTLFTjOhYWliyUez3ImBqzPqwf06K7rHEVy-T2w-3TLOhEkAkpghMAPqFmhVBRwdc8ym7w)"
     R"(hpILfTJHwOG2Vsys50ubUXKEdTFSdQ3aygb7BpulBLDoXqZFpz5dvZhPnk54Zy8dyFK_ZJrjjxqAQwBj)"
     R"(k2xSe-dSMuHsBCt7GI_btEHJAkPRSoHieX96FdSphv1CRhKg-VmPfi4EtafxzMkkOJ1WEfa8BWZIv1bC)"
     R"(LN_3nWE8qf5t0SzulOJmTNsmreAmqWb9zA)"},
};

}  // namespace extproc::jwt::tokens
