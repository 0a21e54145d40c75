{application,start_elixir,
             [{applications,[kernel,stdlib,elixir]},
              {description,"start_elixir"},
              {modules,['Elixir.StartElixir']},
              {registered,[]},
              {vsn,"0.1.0"}]}.
